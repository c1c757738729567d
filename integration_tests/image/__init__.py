"""`make image-test`: the built images do what the Airbyte platform asks of them.

It uses what the machine has and installs nothing: an engine that works, and a base that can be
pulled or that debootstrap can make. The platform's way to start a connector is that of
`ContainerCommandFactory.kt` in airbytehq/airbyte-platform.
"""
