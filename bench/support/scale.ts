/** How long and how much: `--quick` says whether it works at all and roughly how fast, the full run is what is kept. */
export type Scale = { rounds: number; roundMs: number; customersMax: number; lags: number; recordsMax: number }

export const fullScale: Scale = {
  rounds: 5,
  roundMs: 1_000,
  customersMax: 1_000_000,
  lags: 150,
  recordsMax: 10_000_000,
}
export const quickScale: Scale = { rounds: 3, roundMs: 300, customersMax: 10_000, lags: 40, recordsMax: 200_000 }
