"""features.fast_cpu."""
