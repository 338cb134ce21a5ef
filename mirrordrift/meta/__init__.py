"""What a person sees of a meta-training."""
