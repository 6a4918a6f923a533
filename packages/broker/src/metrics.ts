/**
 * Prometheus metrics: counts and times, never a name or a text.
 * @module
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

export type Metrics = ReturnType<typeof createMetrics>;

export function createMetrics({ defaults = true } = {}) {
  const registry = new Registry();
  if (defaults) collectDefaultMetrics({ register: registry });
  const registers = [registry];
  return {
    registry,
    posted: new Counter({ name: 'countersign_requests_posted_total', help: 'Requests taken', registers }),
    settled: new Counter({
      name: 'countersign_requests_settled_total',
      help: 'Requests settled, by final state',
      labelNames: ['state'],
      registers,
    }),
    fraud: new Counter({ name: 'countersign_fraud_reports_total', help: 'Fraud reports taken', registers }),
    refused: new Counter({
      name: 'countersign_calls_refused_total',
      help: 'Calls refused, by error code',
      labelNames: ['code'],
      registers,
    }),
    duration: new Histogram({
      name: 'countersign_http_duration_seconds',
      help: 'Time to answer a call, by route',
      labelNames: ['route', 'status'],
      buckets: [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 120],
      registers,
    }),
    streams: new Gauge({ name: 'countersign_device_streams', help: 'Devices on a stream', registers }),
    waiters: new Gauge({
      name: 'countersign_enquirers_waiting',
      help: 'Enquirers on a long poll',
      registers,
    }),
    pending: new Gauge({ name: 'countersign_requests_pending', help: 'Requests pending', registers }),
  };
}
