#include "suites/peers.h"

#include <nlohmann/json.hpp>

#include "suites/embedded.h"
#include "suites/suite.h"

namespace assay {

std::vector<PeerFigure> peers_of(const DeviceSurvey& survey) {
    const nlohmann::json catalogue = nlohmann::json::parse(embedded_file("data/accelerators.json").value());
    const std::vector<AcceleratorFacts> facts = load_accelerator_facts();
    std::vector<PeerFigure> peers;
    for (const DeviceInfo& device : survey.devices) {
        const AcceleratorFacts* const model = find_accelerator(facts, device);
        if (model == nullptr) continue;
        for (const nlohmann::json& entry : catalogue.at("accelerators")) {
            if (entry.at("name") != model->name || !entry.contains("peers")) continue;
            for (const nlohmann::json& peer : entry.at("peers"))
                peers.push_back({device.id, peer.at("metric").get<std::string>(),
                                 peer.at("labels").get<Labels>(), peer.at("value").get<double>(),
                                 peer.at("source").get<std::string>()});
        }
    }
    return peers;
}

}  // namespace assay
