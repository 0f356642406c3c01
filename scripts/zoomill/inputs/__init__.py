"""What goes into models: samples of data sets, how they are read and prepared."""
