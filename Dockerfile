# A connector's image, such as the Airbyte platform runs. `make images` builds those of all connectors; by hand:
#
#     make dist
#     docker build --build-arg CONNECTOR=source-skipcall-calls --tag localhost/airbyte-calls/source-skipcall-calls:0.5.0 .
#
# Packages come from where pip gets them. What pip has to know for that is no part of the image: an index or a
# proxy in a file of the form of pip.conf (`--secret id=pip.conf,src=FILE`), a certificate in another
# (`--secret id=ca.pem,src=FILE`, named in the first one as `cert = /run/ca.pem`).

# The digest is that of the tag in September 2026; it names an index with linux/amd64 and linux/arm64. Another base needs
# Python with `venv`, a shell, and nothing else.
ARG BASE=docker.io/library/python:3.11-slim-bookworm@sha256:a36c24f9cbdf4fd0f52d67f0823eeac19c2028c637cecc392d97f980d4fec56b

# What all connectors need: one layer that their images share.
FROM ${BASE} AS dependencies
ARG SOURCE_DATE_EPOCH
COPY runtime.lock /packages/
# The date that files bear is no part of what an engine compares when it looks for a layer of an earlier build. So it
# stands in a file: another date gives other layers, and what comes of a build does not depend on what was built before.
# The lock is whole, so nothing is resolved; `pip check` below would say what lacks. Tests of the
# dependencies are a tenth of their size.
RUN --mount=type=secret,id=pip.conf,target=/etc/pip.conf --mount=type=secret,id=ca.pem,target=/run/ca.pem \
    python3 -m venv /packages/pip \
    && python3 -m venv --without-pip /opt/connector \
    && /packages/pip/bin/pip --python /opt/connector/bin/python install --quiet --disable-pip-version-check \
        --no-cache-dir --no-compile --no-deps --only-binary=:all: --require-hashes --requirement /packages/runtime.lock \
    && find /opt/connector -type d \( -name tests -o -name __pycache__ \) -prune -exec rm -r {} + \
    && echo "${SOURCE_DATE_EPOCH}" > /opt/connector/source-date-epoch

# The connector itself, below /own, and the user.
FROM dependencies AS connector
ARG CONNECTOR
COPY dist/*.whl /packages/
RUN test -n "${CONNECTOR}" || { echo 'Name a connector: --build-arg CONNECTOR=source-skipcall-calls' >&2; exit 1; } \
    && /packages/pip/bin/pip --python /opt/connector/bin/python install --quiet --disable-pip-version-check \
        --no-warn-script-location --no-compile --no-deps --no-index --find-links /packages --root /own \
        airbyte-calls-shared "${CONNECTOR}" \
    && ln -s "${CONNECTOR}" /own/opt/connector/bin/entrypoint \
    && cp -a /own/. / \
    && /packages/pip/bin/pip --python /opt/connector/bin/python --disable-pip-version-check check
# The platform starts a container for each command. So what a command imports is compiled, also of Python itself, whose
# image is not: half of the time it takes to start. The rest would be five times the size. Its own way to write
# compiled files keeps the time of each source, which copying an image changes; these need none.
RUN PYTHONPYCACHEPREFIX=/packages/used /opt/connector/bin/entrypoint spec > /dev/null \
    && find /packages/used -name '*.pyc' | sed 's#^/packages/used##; s#\.cpython-[0-9]*\.pyc$#.py#' | sort \
    | PYTHONPYCACHEPREFIX=/own/opt/connector/compiled \
        python3 -m compileall -q --invalidation-mode unchecked-hash -i -
RUN mkdir /airbyte /own/etc \
    && { grep -q '^airbyte:' /etc/group || echo 'airbyte:x:1000:' >> /etc/group; } \
    && { grep -q '^airbyte:' /etc/passwd || echo 'airbyte:x:1000:1000::/airbyte:/bin/sh' >> /etc/passwd; } \
    && cp /etc/group /etc/passwd /own/etc/

FROM ${BASE}
COPY --from=dependencies /opt/connector /opt/connector
COPY --from=connector /own /
COPY --from=connector --chown=1000:1000 /airbyte /airbyte
ARG CONNECTOR
ARG VERSION=0.5.0
LABEL io.airbyte.name=airbyte-calls/${CONNECTOR} \
    io.airbyte.version=${VERSION}
# Without the second, Python would look for compiled files beside the sources.
ENV AIRBYTE_ENTRYPOINT=/opt/connector/bin/entrypoint \
    PYTHONPYCACHEPREFIX=/opt/connector/compiled
USER 1000:1000
WORKDIR /airbyte
ENTRYPOINT ["/opt/connector/bin/entrypoint"]
