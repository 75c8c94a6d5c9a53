// The chart as Helm renders it: what Kubernetes is told is what the server takes and the image is, and values that make no
// sense are refused.

import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import { loadConfig, settingNames } from '../../server/config.ts'
import { type AllowList, isAllowedHost } from '../../server/http/guard.ts'
import { isInstalled } from '../testing/installed.ts'

const chart = fileURLToPath(new URL('./twostep', import.meta.url))
const fromRoot = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')
const install =
  'GOBIN=/usr/local/bin go install helm.sh/helm/v3/cmd/helm@v3.19.5, or the package of your system'
const hasHelm = isInstalled('helm', ['version'], install)

// biome-ignore lint/suspicious/noExplicitAny: the tests read parts of every shape
type Loose = any
/** Values as on the command line: `a.b=c`. Settings are text, whatever they look like. */
const setting = (values: readonly string[]) =>
  values.flatMap((value) => [value.startsWith('settings.') ? '--set-string' : '--set', value])

const helm = (...words: string[]) => spawnSync('helm', words, { encoding: 'utf8' })
const templated = (values: readonly string[], release = 'runs') =>
  helm(...['template', release, chart, '--namespace', 'ml', '--kube-version', '1.33.0', ...setting(values)])

/** What is rendered, by its kind. */
function rendered(values: readonly string[] = [], release?: string): Record<string, Loose> {
  const { status, stdout, stderr } = templated(values, release)
  expect([status, stderr]).toEqual([0, ''])
  const documents = parseAllDocuments(stdout).map((document) => document.toJS())
  for (const { metadata, kind } of documents)
    expect([kind, metadata.labels['app.kubernetes.io/instance']]).toEqual([kind, release ?? 'runs'])
  return Object.fromEntries(documents.map((document) => [document.kind, document]))
}

const podOf = ({ Deployment }: Record<string, Loose>) => Deployment.spec.template.spec
const serverOf = (all: Record<string, Loose>) => podOf(all).containers[0]
/** The variables of the server, as a pod of this address has them. */
function environmentOf(all: Record<string, Loose>, podIp = '10.1.2.3'): Record<string, string> {
  const secret = 'postgresql://me:secret@db:5432/twostep'
  const entries = serverOf(all).env.map(({ name, value, valueFrom }: Loose) => [
    name,
    valueFrom?.secretKeyRef ? secret : valueFrom?.fieldRef ? podIp : value.replaceAll('$(POD_IP)', podIp),
  ])
  return Object.fromEntries(entries)
}
const configOf = (all: Record<string, Loose>) => loadConfig({}, environmentOf(all), '/data')

const postgres = ['storage.postgres.secretName=twostep-postgres']
const three = ['replicas=3', ...postgres]
const ingress = ['ingress.enabled=true', 'ingress.host=ml.example']

describe.skipIf(!hasHelm)('the Helm chart', () => {
  test.each([[[]], [three], [[...three, ...ingress, 'basePath=/twostep']]])(
    'passes helm lint: %j',
    (values) => {
      const { status, stdout } = helm('lint', '--strict', chart, ...setting(values))
      expect([status, stdout]).toEqual([0, expect.stringContaining('0 chart(s) failed')])
    },
  )

  test('by default it is one server with a volume, which ends before another one starts', () => {
    const all = rendered()
    expect(Object.keys(all).sort()).toEqual(['Deployment', 'PersistentVolumeClaim', 'Service'])
    expect(all.Deployment.spec).toMatchObject({ replicas: 1, strategy: { type: 'Recreate' } })
    const [data] = podOf(all).volumes
    expect(data.persistentVolumeClaim.claimName).toBe(all.PersistentVolumeClaim.metadata.name)
    expect(all.PersistentVolumeClaim.metadata.annotations['helm.sh/resource-policy']).toBe('keep')
    expect(configOf(all)).toMatchObject({
      host: '0.0.0.0',
      requireTokens: true,
      databaseUrl: null,
      drainSeconds: 10,
    })
    const given = rendered(['storage.volume.existingClaim=mine'])
    expect(Object.keys(given)).not.toContain('PersistentVolumeClaim')
    expect(podOf(given).volumes[0].persistentVolumeClaim.claimName).toBe('mine')
  })

  test('with a Secret it is several servers on one PostgreSQL, each under its own address', () => {
    const all = rendered(three)
    expect(Object.keys(all).sort()).toEqual(['Deployment', 'PodDisruptionBudget', 'Service'])
    expect(all.Deployment.spec).toMatchObject({
      replicas: 3,
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
    })
    expect(all.PodDisruptionBudget.spec.maxUnavailable).toBe(1)
    expect(all.PodDisruptionBudget.spec.selector).toEqual(all.Deployment.spec.selector)
    const url = serverOf(all).env.find(({ name }: Loose) => name === 'TWOSTEP_STORAGE_URL')
    expect(url.valueFrom.secretKeyRef).toEqual({ name: 'twostep-postgres', key: 'url' })
    expect(configOf(all)).toMatchObject({
      replicaAddress: 'http://10.1.2.3:7317',
      databaseUrl: 'postgresql://me:secret@db:5432/twostep',
    })
    expect(podOf(all).volumes[0]).toMatchObject({ name: 'data', emptyDir: {} })
    // While one is replaced there are two.
    const one = rendered(postgres)
    expect(environmentOf(one)).toHaveProperty('TWOSTEP_REPLICA_ADDRESS')
    expect(one.Deployment.spec.strategy.type).toBe('RollingUpdate')
    expect(Object.keys(one)).not.toContain('PodDisruptionBudget')
  })

  test('a pod is what the image is, and may no more', () => {
    const pod = podOf(rendered(three))
    const image = fromRoot('Dockerfile')
    expect(image).toContain('USER 1000:1000')
    expect(image).toContain('EXPOSE 7317')
    expect(pod.securityContext).toMatchObject({
      ...{ runAsNonRoot: true, runAsUser: 1000, runAsGroup: 1000, fsGroup: 1000 },
      seccompProfile: { type: 'RuntimeDefault' },
    })
    const [server] = pod.containers
    expect(server.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    })
    expect(server.ports).toEqual([{ name: 'http', containerPort: 7317 }])
    expect(server.volumeMounts.map(({ mountPath }: Loose) => mountPath)).toEqual(['/data', '/tmp'])
    expect(pod).toMatchObject({ automountServiceAccountToken: false, enableServiceLinks: false })
    expect(server.resources).toMatchObject({ requests: { memory: '256Mi' }, limits: { memory: '1Gi' } })
  })

  test('it is alive and ready by its probes, and has the time to drain', () => {
    const all = rendered(['drainSeconds=45'])
    const server = serverOf(all)
    const { allowedHosts } = configOf(all)
    const allow: AllowList = { port: 7317, hosts: allowedHosts, origins: [] }
    for (const [name, path] of [
      ['startupProbe', '/healthz'],
      ['livenessProbe', '/healthz'],
      ['readinessProbe', '/readyz'],
    ] as const) {
      const { httpGet } = server[name]
      expect([name, httpGet.path, httpGet.port]).toEqual([name, path, 'http'])
      const [{ name: header, value }] = httpGet.httpHeaders
      expect([header, isAllowedHost(value, allow)]).toEqual(['Host', true])
    }
    expect(environmentOf(all).TWOSTEP_DRAIN_SECONDS).toBe('45')
    expect(podOf(all).terminationGracePeriodSeconds).toBe(65)
    const { periodSeconds, failureThreshold } = serverOf(rendered()).readinessProbe
    expect(periodSeconds * failureThreshold).toBeLessThan(configOf(rendered()).drainSeconds)
  })

  test('callers may use every name that leads to it, and no other', () => {
    const all = rendered([...three, ...ingress, 'allowedHosts[0]=other.example'], 'my-twostep')
    expect(all.Service.metadata.name).toBe('my-twostep')
    const { allowedHosts: hosts } = configOf(all)
    const isAllowed = (host: string) => isAllowedHost(host, { port: 7317, hosts, origins: [] })
    for (const name of ['my-twostep', 'my-twostep.ml.svc', 'my-twostep.ml.svc.cluster.local', '10.1.2.3'])
      expect([name, isAllowed(`${name}:7317`)]).toEqual([name, true])
    expect(['ml.example', 'other.example', '127.0.0.1:7317'].map(isAllowed)).toEqual([true, true, true])
    expect(['evil.example', '10.1.2.4:7317'].map(isAllowed)).toEqual([false, false])
  })

  test('an ingress leads to it, under a path or not, and the server is told', () => {
    expect(rendered(ingress).Ingress.spec.rules[0].http.paths[0]).toMatchObject({
      path: '/',
      pathType: 'Prefix',
    })
    const values = [
      ...ingress,
      'basePath=/twostep',
      'publicUrl=https://ml.example',
      'ingress.tlsSecretName=cert',
    ]
    const all = rendered([
      ...values,
      'ingress.className=nginx',
      'trustProxy[0]=10.0.0.0/8',
      'settings.TWOSTEP_RETENTION_DAYS=90',
    ])
    expect(all.Ingress.spec).toEqual({
      ingressClassName: 'nginx',
      tls: [{ hosts: ['ml.example'], secretName: 'cert' }],
      rules: [
        {
          host: 'ml.example',
          http: {
            paths: [
              {
                path: '/twostep',
                pathType: 'Prefix',
                backend: { service: { name: all.Service.metadata.name, port: { name: 'http' } } },
              },
            ],
          },
        },
      ],
    })
    expect(configOf(all)).toMatchObject({
      basePath: '/twostep',
      publicUrl: 'https://ml.example/twostep',
      trustProxy: ['10.0.0.0/8'],
      retentionDays: 90,
    })
  })

  test.each([
    [['replicas=2'], /secretName/],
    [['replicas=0'], /replicas/],
    [['replicas=2.5', ...postgres], /replicas/],
    [['basePath=twostep'], /basePath/],
    [['basePath=/twostep/'], /basePath/],
    [['drainSeconds=900'], /drainSeconds/],
    [['ingress.enabled=true'], /host/],
    [['settings.TWOSTEP_PORT=80'], /TWOSTEP_PORT/],
    [['settings.TWOSTEP_RETENTION=9'], /TWOSTEP_RETENTION/],
    [['storage.volume.size=10'], /size/],
    [['trustProxy[0]=nginx'], /trustProxy/],
    [['replica=3'], /replica/],
    [['image.repository='], /repository/],
  ])('%j is refused', (values, word) => {
    const { status, stderr } = templated(values)
    expect(status).toBe(1)
    expect(stderr).toContain("values don't meet the specifications of the schema")
    expect(stderr).toMatch(word)
  })
})

test('the chart has the version of the package', () => {
  const { version } = JSON.parse(fromRoot('package.json'))
  const about = parse(readFileSync(`${chart}/Chart.yaml`, 'utf8'))
  expect([about.version, about.appVersion]).toEqual([version, version])
})

test('every setting of the server is a value of the chart, but for those that are the image’s', () => {
  const asVariable = (name: string) =>
    `TWOSTEP_${name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`
  const template = readFileSync(`${chart}/templates/deployment.yaml`, 'utf8')
  const own = [...template.matchAll(/name: (TWOSTEP_\w+)/g)].map(([, name]) => name!)
  const { properties } = JSON.parse(readFileSync(`${chart}/values.schema.json`, 'utf8'))
  const given = [...own, ...properties.settings.propertyNames.enum, 'TWOSTEP_PORT', 'TWOSTEP_DATA_DIR']
  expect(given.toSorted()).toEqual(settingNames.map(asVariable).toSorted())
})
