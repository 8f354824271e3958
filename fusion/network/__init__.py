"""The joint network: inputs, tasks, sampling and its training."""
