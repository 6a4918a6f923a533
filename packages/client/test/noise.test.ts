import { noiseSuite } from '../../core/test/noise-suite.ts';
import { nodeNoise } from '../src/node/noise.ts';

noiseSuite(nodeNoise);
