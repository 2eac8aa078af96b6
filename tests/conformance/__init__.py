"""What the DSL's conformance features demand, and more of the same kind, tried over the API."""
