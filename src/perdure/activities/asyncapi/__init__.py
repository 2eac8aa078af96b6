"""Publishes to, and consumes from, the channels that an AsyncAPI document describes: AsyncAPI 2.x and 3.0."""
