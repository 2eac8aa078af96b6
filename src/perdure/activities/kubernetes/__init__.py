"""``run: container`` on Kubernetes, with the extra ``kubernetes``."""
