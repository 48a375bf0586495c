# leukobench with everything that a run, its page and its tests need. `docker build -t leukobench .`, then for images below the current folder
#   docker run --rm -v "$PWD:/data" -w /data --user "$(id -u):$(id -g)" -v leukobench:/var/cache/leukobench leukobench run --images FOLDER
# The page: add `-p 8501:8501`, and `app --host 0.0.0.0`. The two commands of a new user: `docker run --rm --entrypoint make leukobench quickstart` (or `test`).
# With `--read-only`, add `--tmpfs /tmp`. docs/security.md says what is read and written. TensorFlow is 1.3 of its 3.5 GB.
FROM python:3.11-slim
RUN apt-get update \
 && apt-get install --yes --no-install-recommends make \
 && rm -rf /var/lib/apt/lists/*
COPY . /opt/leukobench
WORKDIR /opt/leukobench
# Compiled here, since a user other than root can keep nothing beside the source.
RUN PIP_NO_CACHE_DIR=1 make .venv/.ready-cpu LOCK=.ci/constraints.txt \
 && .venv/bin/python -m compileall -q -x '[.]venv' . \
 && ln -s /opt/leukobench/.venv/bin/leukobench /usr/local/bin/leukobench
# One folder for features, converted networks and downloaded weights: mount a volume there to keep them, one for each user that runs the image.
ENV LEUKOBENCH_CACHE=/var/cache/leukobench KERAS_HOME=/var/cache/leukobench/keras HF_HOME=/var/cache/leukobench/huggingface
RUN mkdir -p "$LEUKOBENCH_CACHE" && chmod 1777 "$LEUKOBENCH_CACHE"
ENTRYPOINT ["leukobench"]
CMD ["--help"]
