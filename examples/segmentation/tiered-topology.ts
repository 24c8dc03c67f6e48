import { serdes } from '../../src/index.ts'
import { members } from './members.ts'
import { segmentationTopology, segmentChange } from './segmentation-topology.ts'
import { tieredUsers } from './tiered-users.ts'

/**
 * Users in Cassandra, and a table of who is in which segment, which is written from the topic: of changes
 * that are committed, as exactly-once needs it.
 */
export default segmentationTopology(tieredUsers)
  .addSource('changes', {
    topics: 'segment-changes',
    key: serdes.string,
    value: segmentChange,
    // All that is written to it counts.
    offsetReset: 'earliest',
  })
  .addCassandraSink('members', { parents: 'changes', table: members })
