"""Definitions tried without the world: scenarios with canned answers, on a virtual clock, by the real engine.

`document` is what a scenario file says, `world` the processes and what they wait for, `player` plays one scenario in a
world and says what came of it, `coverage` what no scenario has taken, `export` makes a scenario of a real process.
"""
