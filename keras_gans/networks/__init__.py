"""Networks that several GANs share."""
