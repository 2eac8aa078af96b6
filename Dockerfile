# The product without tools for development: `perdure api`, `perdure worker`, `perdure migrate`.

FROM python:3.13-slim-bookworm AS build

ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/perdure
ENV PATH=/opt/perdure/bin:$PATH
WORKDIR /build
# Dependencies change less often than the code, so they get a layer of their own.
COPY requirements-runtime.lock ./
RUN pip install --no-deps --requirement requirements-runtime.lock
COPY pyproject.toml README.md LICENSE ./
COPY src ./src
RUN pip install --no-deps .

FROM python:3.13-slim-bookworm

RUN groupadd --system --gid 10001 perdure \
  && useradd --system --uid 10001 --gid perdure --home-dir /var/lib/perdure --create-home perdure
COPY --from=build /opt/perdure /opt/perdure
ENV PATH=/opt/perdure/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PERDURE_LOG_FORMAT=json
USER 10001:10001
WORKDIR /var/lib/perdure
EXPOSE 8080
# API and worker both answer /healthz on the port that they are given.
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/healthz', timeout=2)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["perdure"]
CMD ["api", "--host", "0.0.0.0", "--port", "8080"]
