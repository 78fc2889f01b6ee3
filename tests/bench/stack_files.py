"""Generates stacks of any size: services in fragments, three manifests each, templates where people put them."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

PER_FRAGMENT = 10
PER_GROUP = 50
PER_IMAGE = 10
HEAD = "apiVersion: stagewright.dev/v1alpha1\nkind: {kind}\n"

ROOT = (
    HEAD.format(kind="ServiceStack")
    + """metadata: {{name: large, labels: {{app.kubernetes.io/part-of: large}}}}
spec:
  imports: [deploy/units/*.yaml, deploy/images.yaml]
  vars:
    logLevel: {{default: info, environments: {{preview: debug}}}}
    region: {{default: north}}
  environments:
    live: {{kind: production, domainTemplate: large.example.org}}
    preview: {{kind: candidate}}
  components:
    - {{name: usual, defaults: {{readiness: {{timeout: 4m, stableFor: 5s}}}}}}
  secrets:
    - name: database
      keys:
        PASSWORD: {{generate: {{kind: password, length: 24}}}}
        URL: {{compose: "postgresql://app:{{{{ keys.PASSWORD }}}}@postgres.{{{{ namespace }}}}/app"}}
  orchestration:
    deployOrder: [{groups}]
"""
)

UNIT = """    - name: service-{n:04}
      use: [usual]
      deployGroup: group-{group}
      {depends}manifests: [{{path: deploy/k8s/service-{n:04}/*.yaml}}]
      expose: [{{service: service-{n:04}, port: 8080, path: /service-{n:04}}}]
"""

DEPLOYMENT = """apiVersion: apps/v1
kind: Deployment
metadata:
  name: service-{n:04}
  labels: {{app.kubernetes.io/name: service-{n:04}, tier: "{{{{ vars.region }}}}"}}
spec:
  replicas: "{{{{ 3 if env.kind == 'production' else 1 }}}}"
  selector:
    matchLabels: {{app.kubernetes.io/name: service-{n:04}}}
  template:
    metadata:
      labels: {{app.kubernetes.io/name: service-{n:04}}}
    spec:
      automountServiceAccountToken: false
      securityContext:
        runAsNonRoot: true
        runAsUser: 10001
        seccompProfile: {{type: RuntimeDefault}}
      containers:
        - name: app
          image: "{{{{ images['image-{image:03}'] }}}}"
          command: [python, -m, service_{n:04}]
          env:
            - {{name: LOG_LEVEL, value: "{{{{ vars.logLevel }}}}"}}
            - {{name: SERVICE, value: "{{{{ unit.name }}}}.{{{{ namespace }}}}"}}
            - name: DATABASE_URL
              valueFrom: {{secretKeyRef: {{name: database, key: URL}}}}
          ports: [{{name: http, containerPort: 8080}}]
          readinessProbe:
            httpGet: {{path: /healthz, port: http}}
            periodSeconds: 5
          resources:
            requests: {{cpu: 50m, memory: 64Mi}}
            limits: {{cpu: 500m, memory: 256Mi}}
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities: {{drop: [ALL]}}
          volumeMounts:
            - {{name: settings, mountPath: /etc/service, readOnly: true}}
      volumes:
        - name: settings
          configMap: {{name: service-{n:04}}}
"""

SERVICE = """apiVersion: v1
kind: Service
metadata:
  name: service-{n:04}
spec:
  selector: {{app.kubernetes.io/name: service-{n:04}}}
  ports: [{{name: http, port: 8080, targetPort: http}}]
"""

CONFIG = """apiVersion: v1
kind: ConfigMap
metadata:
  name: service-{n:04}
data:
  settings.yaml: |
    name: service-{n:04}
    level: "{{{{ vars.logLevel }}}}"
    neighbours: [{neighbours}]
    limits: {{requests: 100, seconds: 30, retries: 3}}
"""


def make_stack(folder: Path, services: int) -> int:
    """Write a stack of ``services`` services into ``folder``, a git repository then; return how many files it has."""
    count = 0
    for path, text in texts(services):
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        count += 1
    for line in (["init", "-q"], ["add", "-A"]):
        subprocess.run(["git", *line], cwd=folder, check=True, capture_output=True, timeout=60)
    return count


def texts(services: int) -> Iterator[tuple[str, str]]:
    """Give every file of a stack: its path and its text."""
    groups = [f"group-{number}" for number in range(1 + (services - 1) // PER_GROUP)]
    yield "services.yaml", ROOT.format(groups=", ".join(groups))
    yield from _images(1 + (services - 1) // PER_IMAGE)
    for first in range(0, services, PER_FRAGMENT):
        units = "".join(_unit(n) for n in range(first, min(first + PER_FRAGMENT, services)))
        text = f"{HEAD.format(kind='ServiceStackFragment')}spec:\n  services:\n{units}"
        yield f"deploy/units/part-{first // PER_FRAGMENT:03}.yaml", text
    for n in range(services):
        image, near = n // PER_IMAGE, ", ".join(f"service-{other:04}" for other in range(max(0, n - 5), n))
        for name, text in (("deployment", DEPLOYMENT), ("service", SERVICE), ("config", CONFIG)):
            yield f"deploy/k8s/service-{n:04}/{name}.yaml", text.format(n=n, image=image, neighbours=near)


def _unit(n: int) -> str:
    group, place = divmod(n, PER_GROUP)
    depends = f"dependsOn: [service-{n - 1:04}]\n      " if place % 5 else ""
    return UNIT.format(n=n, group=group, depends=depends)


def _images(count: int) -> Iterator[tuple[str, str]]:
    names = "".join(
        f"    image-{n:03}: {{type: build, context: images/image-{n:03}, args: {{MODE: '{{{{ env.kind }}}}'}}}}\n"
        for n in range(count)
    )
    yield "deploy/images.yaml", f"{HEAD.format(kind='ServiceStackFragment')}spec:\n  images:\n{names}"
    for n in range(count):
        yield f"images/image-{n:03}/Dockerfile", "FROM python:3.13-slim\nCOPY main.py /app/\nUSER 10001\n"
        yield f"images/image-{n:03}/main.py", f'print("image {n}")\n'
