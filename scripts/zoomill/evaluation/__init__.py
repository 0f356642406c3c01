"""Task metrics of sources and artifacts."""
