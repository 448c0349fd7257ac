"""Six GANs of all kinds, each of one file, as a user would write them."""
