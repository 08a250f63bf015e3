"""Vectors into labels: cosine, the lexical peer, the classifier, and the bundle that carries it."""
