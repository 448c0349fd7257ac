"""One file a GAN: its networks and its class."""
