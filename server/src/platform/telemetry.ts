import type { Attributes } from '@opentelemetry/api'
import { PrometheusExporter, PrometheusSerializer } from '@opentelemetry/exporter-prometheus'
import { MeterProvider } from '@opentelemetry/sdk-metrics'

/**
 * What this process counts (OPS-1): OpenTelemetry instruments, read out in the text format of Prometheus. One register a
 * process, as Prometheus sees it. Nothing on the path of a check counts here: it writes nothing and locks nothing.
 */
const reader = new PrometheusExporter({ preventServerStart: true })
const meter = new MeterProvider({ readers: [reader] }).getMeter('turnpike')
const serializer = new PrometheusSerializer('', false, undefined, true, true)

type Labels = Attributes

/** Only grows. Its name is written without `_total`, which Prometheus adds. */
export const counter = (name: string, description: string): ((labels?: Labels, by?: number) => void) => {
  const instrument = meter.createCounter(name, { description })
  return (labels, by = 1) => instrument.add(by, labels)
}

/** Durations in seconds, sorted into the boundaries that matter for requests over a network. */
export const seconds = (name: string, description: string): ((value: number, labels?: Labels) => void) => {
  const instrument = meter.createHistogram(name, {
    description,
    unit: 's',
    advice: { explicitBucketBoundaries: [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30] },
  })
  return (value, labels) => instrument.record(value, labels)
}

export type Reading = { value: number; labels?: Labels }

/** A value that is looked up when somebody reads; a look that fails leaves it out. Answers how to end it. */
export const gauge = (
  name: string,
  description: string,
  look: () => Promise<readonly Reading[]> | readonly Reading[],
): (() => void) => {
  const instrument = meter.createObservableGauge(name, { description })
  const callback: Parameters<typeof instrument.addCallback>[0] = async (result) => {
    for (const { value, labels } of await look()) result.observe(value, labels)
  }
  instrument.addCallback(callback)
  return () => instrument.removeCallback(callback)
}

/** Everything counted so far, as text for Prometheus. */
export const readMetrics = async (): Promise<string> => {
  const { resourceMetrics } = await reader.collect()
  return serializer.serialize(resourceMetrics)
}
