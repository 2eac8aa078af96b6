"""The platform as a whole, from outside: its commands as processes, its API over HTTP, on real servers."""
