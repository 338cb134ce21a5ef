"""The loop as stages that are files: network, density, samples and front, each resumable."""
