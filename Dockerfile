# leukobench with its page: `docker build -t leukobench .`, then
# `docker run --rm -v "$PWD:/data" -w /data leukobench run --images FOLDER`; docs/security.md says what it reads and writes.
FROM python:3.11-slim
RUN apt-get update \
 && apt-get install --yes --no-install-recommends make \
 && rm -rf /var/lib/apt/lists/*
COPY . /opt/leukobench
WORKDIR /opt/leukobench
RUN make .venv/.ready-cpu LOCK=.ci/constraints.txt \
 && ln -s /opt/leukobench/.venv/bin/leukobench /usr/local/bin/leukobench
ENV LEUKOBENCH_CACHE=/var/cache/leukobench
RUN mkdir -p "$LEUKOBENCH_CACHE" && chmod 1777 "$LEUKOBENCH_CACHE"
ENTRYPOINT ["leukobench"]
CMD ["--help"]
