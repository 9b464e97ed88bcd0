"""Strict: nothing is taken for what it is not, whoever sends it.

`exact.py` has the models, `texts.py` reads what can only be text, such as a variable, and
`misfits.py` names what JSON can say and nothing here can hold.
"""
