"""Boot: from settings and plugins to a running server.

`plugin_sources.py` finds plugins and `plugins.py` loads them, `hookspecs.py` says what they may
bring, `app.py` joins all of it into one application, `server.py` serves it and `control.py` lets
the command line talk to it.
"""
