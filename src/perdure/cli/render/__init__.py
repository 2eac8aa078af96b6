"""API answers as text for a terminal. Pure: the time is an argument, nothing is printed here."""
