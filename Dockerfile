# Wellio in a container: one process, one volume, no compiler, no root. docs/deployment.md goes on.
# /app/wellio.cdx.json says what is in it.

FROM python:3.11-slim AS build
WORKDIR /src
COPY . .
RUN sh container/install.sh /app

FROM python:3.11-slim
RUN useradd --uid 10001 --no-create-home --home-dir /data wellio && install -d -m 0700 -o wellio /data
COPY --from=build /app /app
ENV PATH=/app/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    WELLIO_DATA_DIR=/data \
    WELLIO_SERVER__HOST=0.0.0.0 \
    WELLIO_LOG__FORMAT=json
USER 10001
# A config.toml in the volume is read, too.
WORKDIR /data
VOLUME /data
EXPOSE 3000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=10s --start-period=15s CMD ["wellio", "health"]
CMD ["wellio", "serve"]
