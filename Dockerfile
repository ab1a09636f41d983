FROM python:3.13-slim AS packages
COPY requirements/base.txt /tmp/base.txt
RUN python -m venv /venv
RUN /venv/bin/pip install --no-cache-dir --no-input --only-binary :all: --require-hashes -r /tmp/base.txt

FROM python:3.13-slim
# Generated secrets, and the embedded database where DATABASE_URL is not set.
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin app \
    && install -d -o app -g app -m 0700 /data
COPY --from=packages /venv /venv
COPY . /srv
RUN /venv/bin/python -m compileall -q /srv
WORKDIR /srv
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    DATA_DIR=/data \
    HOST=0.0.0.0 \
    PORT=8000
USER app
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen('http://127.0.0.1:' + os.environ['PORT'] + '/health/ready', timeout=4)"]
CMD ["python", "-m", "config.web"]
