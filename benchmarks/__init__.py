"""Ordinate beside its peers: the same model, the same requests, in turn, in one session."""
