"""What every GAN is made of."""
