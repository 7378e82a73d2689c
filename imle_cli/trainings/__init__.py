"""Trainings that the command makes: of weights, of networks that decide, of networks that see maps."""
