#include "state/changelog_rows.h"

#include "state/offsets.h"

namespace weir {

ChangelogRows::ChangelogRows(std::string store, bool timestamped,
                             const std::optional<SegmentSettings>& segments, const Observed& observed)
    : store_(std::move(store)), timestamped_(timestamped), segments_(segments), observed_(observed) {
  if (segments_.has_value()) live_from_ = SegmentPrefix(segments_->OldestLive(observed_.stream_time_ms));
}

Status ChangelogRows::Observe(const ChangelogRecord& record) {
  if (!segments_.has_value()) return Status::Ok();
  if (!segments_->IsChangelogKey(record.key)) {
    return Status::Invalid("A record of the changelog of store " + store_ + " has a key of " +
                           std::to_string(record.key.size()) + " bytes; its keys have at least " +
                           std::to_string(segments_->suffix_bytes));
  }
  const int64_t before_ms = observed_.stream_time_ms;
  observed_.Add(*segments_, record.key);
  if (observed_.stream_time_ms > before_ms)
    PutInt64(live_from_.data(), segments_->OldestLive(observed_.stream_time_ms));
  return Status::Ok();
}

RestoredRow ChangelogRows::RowOf(const ChangelogRecord& record) {
  std::string_view key = record.key;
  if (segments_.has_value()) {
    key_.resize(SegmentSettings::kPrefixBytes);
    PutInt64(key_.data(), segments_->SegmentOf(segments_->TimeOf(record.key)));
    key_.append(record.key);
    key = key_;
  }
  if (!record.value.has_value()) return {key, true, {}, {}};
  if (!timestamped_) return {key, false, {}, *record.value};
  PutInt64(timestamp_, record.timestamp_ms);
  return {key, false, {timestamp_, sizeof(timestamp_)}, *record.value};
}

}  // namespace weir
