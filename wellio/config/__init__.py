"""Config: what the host decides, read once at the start.

`settings.py` has the sections, `types.py` and `strength.py` what their fields may hold,
`sources.py` reads files and the environment, `template.py` writes `config.toml`.
"""
