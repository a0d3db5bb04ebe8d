# previewbot's image: Python, the packages that requirements.lock pins by hash, and previewbot as a wheel.
#
#   docker build --tag registry.example.com/previewbot:0.1.0 .
#
# The base is pinned to the byte: by the digest of its index, which has an image for each processor. `make refresh-base`
# asks the registry for what the tag names now. Another base: --build-arg BASE=….
ARG BASE=docker.io/library/python:3.11-slim-bookworm@sha256:a36c24f9cbdf4fd0f52d67f0823eeac19c2028c637cecc392d97f980d4fec56b

FROM ${BASE} AS build
WORKDIR /src
# The packages change less often than previewbot: a layer of their own.
COPY image image
COPY requirements.lock .
RUN image/install.sh dependencies /opt/previewbot
COPY . .
RUN image/install.sh previewbot /opt/previewbot

FROM ${BASE}
LABEL org.opencontainers.image.title="previewbot" \
      org.opencontainers.image.description="Runs what a pull request changes as a mirrord preview on shared staging" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /opt/previewbot /opt/previewbot
# The chart mounts the programs there that give registries' logins, if there are any.
# A home, since a user without a name has none: the Kubernetes client asks for it when it is imported.
ENV PATH=/opt/previewbot/bin:$PATH:/credential-helpers \
    HOME=/tmp \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1
# A number, so that Kubernetes can see that it is not root; nobody by name, and the owner of nothing.
USER 65532:65532
WORKDIR /tmp
EXPOSE 8080 8081 8082
ENTRYPOINT ["previewbot"]
