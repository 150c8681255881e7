#include "kernels/cuda/nvml.h"

#include <array>
#include <cctype>
#include <utility>

namespace assay::nvml {

namespace {

/// The value that a function of NVML writes through its last parameter; nothing where it is missing or fails.
template <typename Value, typename... Parameters, typename... Arguments>
std::optional<Value> asked(Result (*function)(Parameters...), Arguments... arguments) {
    Value value{};
    if (function == nullptr || function(arguments..., &value) != success) return std::nullopt;
    return value;
}

std::optional<double> scaled(const std::optional<unsigned>& value, double factor) {
    if (!value) return std::nullopt;
    return *value * factor;
}
constexpr double milli = 1e-3, mega = 1e6;

template <typename... Parameters, typename... Arguments>
std::string text(Result (*function)(Parameters...), Arguments... arguments) {
    std::array<char, 96> buffer{};
    if (function == nullptr || function(arguments..., buffer.data(), buffer.size() - 1) != success) return {};
    return buffer.data();
}

std::optional<bool> is_on(Result (*function)(Handle, int*, int*), Handle card) {
    int current = 0, pending = 0;
    if (function == nullptr || function(card, &current, &pending) != success) return std::nullopt;
    return current != 0;
}

/// Whether MIG is on; nothing where the card cannot.
std::optional<bool> is_sliced(const Api& api, Handle card) {
    unsigned current = 0, pending = 0;
    if (api.mig_mode == nullptr || api.mig_mode(card, &current, &pending) != success) return std::nullopt;
    return current != 0;
}

struct Reason {
    unsigned long long bit;
    std::string_view words;
};
// An idle card (bit 0x1) is not held down.
constexpr std::array<Reason, 8> reasons{{
    {0x2, "application clocks setting"},
    {0x4, software_power_cap},
    {0x8, "hardware slowdown"},
    {0x10, "sync boost"},
    {0x20, "software thermal slowdown"},
    {0x40, "hardware thermal slowdown"},
    {0x80, "hardware power brake"},
    {0x100, "display clock setting"},
}};

std::vector<std::string> reasons_in(unsigned long long bits) {
    std::vector<std::string> words;
    for (const Reason& reason : reasons)
        if ((bits & reason.bit) != 0) words.emplace_back(reason.words);
    return words;
}

std::optional<double> number_in(const FieldValue& field) {
    if (field.result != success) return std::nullopt;
    switch (field.type) {
        case ValueType::float64:
            return field.value.float64;
        case ValueType::unsigned_int:
            return field.value.unsigned_int;
        case ValueType::unsigned_long:
            return static_cast<double>(field.value.unsigned_long);
        case ValueType::unsigned_long_long:
            return static_cast<double>(field.value.unsigned_long_long);
        case ValueType::signed_long_long:
            return static_cast<double>(field.value.signed_long_long);
        case ValueType::signed_int:
            return field.value.signed_int;
    }
    return std::nullopt;
}

/// The critical errors of a card, which the driver reports as events.
class XidEvents {
  public:
    XidEvents(const Api& api, Handle card) : api_(api) {
        if (api_.create_event_set == nullptr || api_.register_events == nullptr ||
            api_.wait_for_event == nullptr || api_.free_event_set == nullptr)
            return;
        if (api_.create_event_set(&set_) != success) {
            set_ = nullptr;
        } else if (api_.register_events(card, event_critical_xid, set_) != success) {
            api_.free_event_set(std::exchange(set_, nullptr));
        }
    }
    ~XidEvents() {
        if (set_ != nullptr) api_.free_event_set(set_);
    }
    XidEvents(const XidEvents&) = delete;
    XidEvents& operator=(const XidEvents&) = delete;

    /// Those since the last call, without waiting; no more at once than a broken driver may repeat for ever.
    std::vector<std::uint64_t> take() {
        constexpr std::size_t most = 100;
        std::vector<std::uint64_t> xids;
        EventData event{};
        while (set_ != nullptr && xids.size() < most && api_.wait_for_event(set_, &event, 0) == success)
            if (event.type == event_critical_xid) xids.push_back(event.data);
        return xids;
    }

  private:
    const Api& api_;
    EventSet set_ = nullptr;
};

class NvmlTelemetry final : public Telemetry {
  public:
    NvmlTelemetry(const Api& api, Handle card)
        : api_(api),
          card_(card),
          source_("NVML " + text(api.driver_version)),
          default_power_limit_(scaled(asked<unsigned>(api.default_power_limit, card), milli)),
          maximum_clock_(scaled(asked<unsigned>(api.maximum_clock, card, ClockType::multiprocessors), mega)),
          sliced_(is_sliced(api, card).value_or(false)),
          xids_(api_, card) {}

    TelemetryReading read() override {
        TelemetryReading reading;
        reading.power = scaled(asked<unsigned>(api_.power_usage, card_), milli);
        reading.power_limit = scaled(asked<unsigned>(api_.power_limit, card_), milli);
        reading.default_power_limit = default_power_limit_;
        reading.temperature = temperature();
        reading.memory_temperature = memory_temperature();
        reading.clock = scaled(asked<unsigned>(api_.clock, card_, ClockType::multiprocessors), mega);
        reading.maximum_clock = maximum_clock_;
        reading.memory_clock = scaled(asked<unsigned>(api_.clock, card_, ClockType::memory), mega);
        if (const auto load = asked<Utilisation>(api_.utilisation, card_))
            reading.utilisation = load->gpu / 100.0;
        reading.ecc_corrected = errors(ErrorType::corrected);
        reading.ecc_uncorrected = errors(ErrorType::uncorrected);
        if (const auto memory = asked<MemoryInfo>(api_.memory_info, card_)) reading.used_bytes = memory->used;
        if (const auto bits = asked<unsigned long long>(api_.clock_reasons, card_))
            reading.throttle_reasons = reasons_in(*bits);
        reading.xids = xids_.take();
        return reading;
    }

    std::string source() const override { return source_; }
    std::string remark() const override {
        if (!sliced_) return {};
        return "The telemetry (power, temperatures, clocks, errors) is of the whole card: MIG is on, and the "
               "case had a slice of it.";
    }

  private:
    std::optional<double> temperature() const {
        if (const auto celsius = asked<unsigned>(api_.temperature, card_, TemperatureSensor::gpu))
            return *celsius;
        TemperatureQuery query{temperature_query_version, TemperatureSensor::gpu, 0};
        if (api_.temperature_query == nullptr || api_.temperature_query(card_, &query) != success)
            return std::nullopt;
        return query.celsius;
    }
    std::optional<double> memory_temperature() const {
        FieldValue field{};
        field.field = field_memory_temperature;
        if (api_.field_values == nullptr || api_.field_values(card_, 1, &field) != success)
            return std::nullopt;
        // Cards without the sensor may say 0 instead of "not supported".
        const std::optional<double> celsius = number_in(field);
        return celsius && *celsius > 0 ? celsius : std::nullopt;
    }
    std::optional<std::uint64_t> errors(ErrorType type) const {
        return asked<unsigned long long>(api_.ecc_errors, card_, type, EccCounter::since_driver_load);
    }

    const Api api_;
    Handle card_;
    std::string source_;
    std::optional<double> default_power_limit_, maximum_clock_;
    bool sliced_;
    XidEvents xids_;
};

/// NVML writes the domain with eight digits, sysfs with four, and both in either case.
std::string as_in_sysfs(std::string address) {
    for (char& c : address) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    while (address.find(':') != std::string::npos && address.find(':') > 4 && address.front() == '0')
        address.erase(0, 1);
    return address;
}

CardFacts facts_of(const Api& api, Handle card) {
    CardFacts facts;
    facts.name = text(api.name, card);
    facts.uuid = text(api.uuid, card);
    if (const auto pci = asked<PciInfo>(api.pci_info, card)) facts.pci_address = as_in_sysfs(pci->bus_id);
    if (const auto memory = asked<MemoryInfo>(api.memory_info, card)) facts.memory_bytes = memory->total;
    if (const auto on = asked<int>(api.persistence_mode, card)) facts.persistence = *on != 0;
    facts.ecc = is_on(api.ecc_mode, card);
    facts.mig = is_sliced(api, card);
    facts.power_limit = scaled(asked<unsigned>(api.power_limit, card), milli);
    facts.default_power_limit = scaled(asked<unsigned>(api.default_power_limit, card), milli);
    unsigned least = 0, greatest = 0;
    if (api.power_limit_range != nullptr && api.power_limit_range(card, &least, &greatest) == success) {
        facts.least_power_limit = least * milli;
        facts.greatest_power_limit = greatest * milli;
    }
    facts.maximum_clock = scaled(asked<unsigned>(api.maximum_clock, card, ClockType::multiprocessors), mega);
    facts.link_generation = asked<unsigned>(api.maximum_link_generation, card);
    facts.link_width = asked<unsigned>(api.maximum_link_width, card);
    return facts;
}

Absent no_telemetry(const std::string& of, const std::string& why) {
    return Absent{"no telemetry of " + of + ": " + why};
}

}  // namespace

std::variant<std::unique_ptr<Telemetry>, Absent> open_telemetry(const Api& api,
                                                                const std::string& pci_address) {
    Handle card = nullptr;
    const Result result = api.handle_by_pci_address(pci_address.c_str(), &card);
    if (result != success)
        return no_telemetry(pci_address, "nvmlDeviceGetHandleByPciBusId: " + api.words_of(result));
    return std::make_unique<NvmlTelemetry>(api, card);
}

std::variant<std::unique_ptr<Telemetry>, Absent> open_telemetry(const std::string& pci_address) {
    if (const Absent* absent = std::get_if<Absent>(&api())) return no_telemetry(pci_address, absent->reason);
    return open_telemetry(std::get<Api>(api()), pci_address);
}

DriverFacts read_driver_facts(const Api& api) {
    DriverFacts facts;
    facts.driver_version = text(api.driver_version);
    if (const auto version = asked<int>(api.cuda_version))
        facts.cuda_version = std::to_string(*version / 1000) + "." + std::to_string(*version % 1000 / 10);
    const unsigned count = asked<unsigned>(api.device_count).value_or(0);
    for (unsigned number = 0; number < count; ++number)
        if (const auto card = asked<Handle>(api.handle_by_index, number))
            facts.cards.push_back(facts_of(api, *card));
    return facts;
}

std::variant<DriverFacts, Absent> read_driver_facts() {
    if (const Absent* absent = std::get_if<Absent>(&api())) return *absent;
    return read_driver_facts(std::get<Api>(api()));
}

}  // namespace assay::nvml
