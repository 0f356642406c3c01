"""The library that zoomill's commands share, one module per concept."""
