"""What records come to: what they may say, and the pure fold that makes tasks of them, alike on every replica."""
