# docker build -t REGISTRY/helmwake:TAG . && docker push REGISTRY/helmwake:TAG
# Then name it in manifests/kustomization.yaml: newName: REGISTRY/helmwake, newTag: TAG.
#
# Pin the base, or take it from a mirror: --build-arg PYTHON=python:3.13-slim@sha256:...
ARG PYTHON=python:3.13-slim
FROM ${PYTHON} AS build
WORKDIR /src
COPY requirements/run.txt requirements/build.txt requirements/
# Without pip: what runs installs nothing.
RUN python -m venv --without-pip /app \
 && pip --python /app/bin/python install --no-cache-dir --require-hashes -r requirements/run.txt
RUN python -m venv /build \
 && /build/bin/pip install --no-cache-dir --require-hashes -r requirements/build.txt
# Last, so that a change of ours leaves the layers above as they are.
COPY pyproject.toml README.md LICENSE ./
COPY operator operator
# Offline and by tools already checked: an isolated build would fetch its own, without hashes.
RUN /build/bin/pip wheel --no-index --no-deps --no-build-isolation --wheel-dir /dist . \
 && pip --python /app/bin/python install --no-index --no-deps /dist/*.whl

FROM ${PYTHON}
COPY --from=build /app /app
ENV PATH=/app/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["helmwake"]
CMD ["run"]
