"""
Figures for people: how fast ctxfy is, next to what it is compared with, in the same run.
"""
