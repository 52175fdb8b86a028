/** Made once each: a text that was put together anew is hashed anew at every look into a map. */
const leaseKeys = new Map<string, Map<string, string>>();

export function leaseKey(mappingUuid: string, shardId: string): string {
  let ofMapping = leaseKeys.get(mappingUuid);
  if (ofMapping === undefined) {
    ofMapping = new Map();
    leaseKeys.set(mappingUuid, ofMapping);
  }
  let key = ofMapping.get(shardId);
  if (key === undefined) {
    key = `${mappingUuid}/${shardId}`;
    ofMapping.set(shardId, key);
  }
  return key;
}
