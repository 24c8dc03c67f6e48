import { plainUsers } from './plain-users.ts'
import { segmentationTopology } from './segmentation-topology.ts'

/** Everything in the tasks' own stores: Kafka is all that it needs. */
export default segmentationTopology(plainUsers)
