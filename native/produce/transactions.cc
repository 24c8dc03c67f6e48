#include "produce/transactions.h"

#include "common/kafka_handles.h"
#include "common/kafka_status.h"

namespace weir {

namespace {

using GroupMetadataHandle =
    KafkaHandle<rd_kafka_consumer_group_metadata_t, rd_kafka_consumer_group_metadata_destroy>;

// Of these calls librdkafka says itself what may be tried again: a code that passes elsewhere may need an abort here.
Status TransactionStatus(rd_kafka_t* client, rd_kafka_error_t* error, const std::string& call) {
  if (error == nullptr) return Status::Ok();
  const bool retriable = rd_kafka_error_is_retriable(error) != 0;
  const bool fatal = rd_kafka_error_is_fatal(error) != 0;
  Status status = TakeKafkaStatus(error, call);
  if (fatal) {
    const Status cause = FatalKafkaStatus(client, call);
    if (!cause.ok()) return cause;
  }
  return Status(status.code(), status.message(), retriable, fatal);
}

}  // namespace

Status InitTransactions(rd_kafka_t* client, int timeout_ms) {
  return TransactionStatus(client, rd_kafka_init_transactions(client, timeout_ms),
                           "Starting the transactional producer");
}

Status BeginTransaction(rd_kafka_t* client) {
  return TransactionStatus(client, rd_kafka_begin_transaction(client), "Beginning a transaction");
}

Status SendOffsets(rd_kafka_t* client, const std::vector<TopicPartitionOffset>& offsets,
                   const GroupMember& member, int timeout_ms) {
  const GroupMetadataHandle metadata(rd_kafka_consumer_group_metadata_new_with_genid(
      member.group.c_str(), member.generation, member.member.c_str(),
      member.instance.empty() ? nullptr : member.instance.c_str()));
  return TransactionStatus(
      client,
      rd_kafka_send_offsets_to_transaction(client, ToKafka(offsets).get(), metadata.get(), timeout_ms),
      "Sending offsets to the transaction");
}

Status CommitTransaction(rd_kafka_t* client, int timeout_ms) {
  return TransactionStatus(client, rd_kafka_commit_transaction(client, timeout_ms),
                           "Committing the transaction");
}

Status AbortTransaction(rd_kafka_t* client, int timeout_ms) {
  return TransactionStatus(client, rd_kafka_abort_transaction(client, timeout_ms),
                           "Aborting the transaction");
}

}  // namespace weir
