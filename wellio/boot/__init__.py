"""Boot: from settings and plugins to a running server.

`plugin_sources.py` finds plugins, `loader.py` loads them and joins their hooks, `plugins.py` asks
them. `hookspecs.py` says what they may bring, `hooks.py` keeps what they brought, `ports.py` lets
them call each other. `app.py` is what they see of the app, `assembly.py` puts it together,
`server.py` serves it and `control.py` lets the command line talk to it.
"""
