"""
A ctxfy server that runs elsewhere, seen by its client: bridged to stdio, or looked over.
"""
