/** Quantities whose non-negative combination is the latency: 10^9 MACs, 10^9 bytes at 4 bytes an element, 10^3 layers. */
export const costFeatures = [
  'conv1x1Gmac',
  'conv3x3Gmac',
  'convOtherGmac',
  'depthwiseGmac',
  'narrowGmac',
  'weightGb',
  'conv1x1Gb',
  'conv3x3Gb',
  'convOtherGb',
  'depthwiseGb',
  'columnGb',
  'pointwiseGb',
  'moveGb',
  'exponentialGb',
  'kiloLayers',
] as const;

export type CostFeature = (typeof costFeatures)[number];
/** One number for every feature. */
export type CostFeatures = Readonly<Record<CostFeature, number>>;
