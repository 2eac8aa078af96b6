"""Calls of operations that an OpenAPI document describes: Swagger 2.0, OpenAPI 3.0 and 3.1."""
