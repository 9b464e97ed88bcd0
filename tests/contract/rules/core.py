"""Of the core's own endpoints."""

from wellio.testing import PublicRule, Rule, Rules
from wellio.testing.rules import EVERYBODY

CORE = Rules(
    "core",
    rules=(Rule("GET /api/v1/dashboard", EVERYBODY),),
    public=(
        *(
            PublicRule(f"GET {path}", f"/{path}", 200)
            for path in ("/livez", "/readyz", "/health", "/metrics", "/openapi.json", "/docs")
        ),
        PublicRule("GET /health/{plugin}", "//health/chat", 200),
        PublicRule("GET /docs/{file}", "//docs/nothing.js", 404),
    ),
)
