"""The whole platform in a world of its own, from one seed: see `city`."""
