/** Whole networks in the simulated world, built from the modules that run on the real one. @module */

export {
  DhtNetwork,
  type DhtNetworkOptions,
  type SearchOutcome,
  type SimulatedNode,
  type WarmOptions,
} from './dht-network.ts';
