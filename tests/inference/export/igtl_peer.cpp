// A peer made from OpenIGTLink's own C++ library, which 3D Slicer and PLUS are made from: a line of JSON a message.
//
//     igtl_peer read PORT NAME    connects, and reads up to and with the message of that name
//     igtl_peer serve             says its port, and sends status, transform and image to whoever connects, until that goes
#include <csignal>
#include <cstring>
#include <iostream>
#include <string>

#include <igtlClientSocket.h>
#include <igtlImageMessage.h>
#include <igtlOSUtil.h>
#include <igtlPolyDataMessage.h>
#include <igtlServerSocket.h>
#include <igtlStatusMessage.h>
#include <igtlStringMessage.h>
#include <igtlTransformMessage.h>
#include <igtl_util.h>

template <class Message>
typename Message::Pointer received(igtl::MessageHeader *header, igtl::Socket *socket) {
    auto message = Message::New();
    message->SetMessageHeader(header);
    message->AllocatePack();
    socket->Receive(message->GetPackBodyPointer(), message->GetPackBodySize());
    if (!(message->Unpack(1) & igtl::MessageHeader::UNPACK_BODY)) throw std::string("checksum or body");
    return message;
}

void print(const igtl::Matrix4x4 &matrix) {
    std::cout << ", \"matrix\": [";
    for (int row = 0; row < 4; row++)
        for (int col = 0; col < 4; col++) std::cout << (row + col ? ", " : "") << matrix[row][col];
    std::cout << "]";
}

void print(igtl::ImageMessage *image) {
    int size[3];
    float spacing[3];
    igtl::Matrix4x4 matrix;
    image->GetDimensions(size);
    image->GetSpacing(spacing);
    image->GetMatrix(matrix);
    std::cout << ", \"size\": [" << size[0] << ", " << size[1] << ", " << size[2] << "], \"spacing\": [" << spacing[0]
              << ", " << spacing[1] << "], \"lps\": " << (image->GetCoordinateSystem() == 2 ? "true" : "false");
    print(matrix);
    const bool wide = image->GetScalarType() == igtl::ImageMessage::TYPE_UINT16;
    const bool turned = (image->GetEndian() == igtl::ImageMessage::ENDIAN_BIG) != (igtl_is_little_endian() == 0);
    const auto *bytes = static_cast<const unsigned char *>(image->GetScalarPointer());
    std::cout << ", \"pixels\": [";
    for (int at = 0; at < size[0] * size[1] * size[2]; at++) {
        int value = bytes[at];
        if (wide) value = turned ? bytes[2 * at] << 8 | bytes[2 * at + 1] : bytes[2 * at] | bytes[2 * at + 1] << 8;
        std::cout << (at ? ", " : "") << value;
    }
    std::cout << "]";
}

void print(igtl::PolyDataMessage *poly) {
    igtlFloat32 point[3];
    std::cout << ", \"lines\": " << poly->GetLines()->GetNumberOfCells() << ", \"points\": [";
    for (unsigned int at = 0; at < poly->GetPoints()->GetNumberOfPoints(); at++) {
        poly->GetPoints()->GetPoint(at, point);
        std::cout << (at ? ", [" : "[") << point[0] << ", " << point[1] << ", " << point[2] << "]";
    }
    std::cout << "]";
}

int read(int port, const std::string &last) {
    auto socket = igtl::ClientSocket::New();
    if (socket->ConnectToServer("127.0.0.1", port) != 0) return 1;
    std::cout << "{\"connected\": true}" << std::endl;
    for (std::string name; name != last;) {
        auto header = igtl::MessageHeader::New();
        header->InitPack();
        if (socket->Receive(header->GetPackPointer(), header->GetPackSize()) != header->GetPackSize()) return 2;
        header->Unpack();
        const std::string type = header->GetDeviceType();
        name = header->GetDeviceName();
        std::cout << "{\"type\": \"" << type << "\", \"name\": \"" << name << "\"";
        if (type == "IMAGE") print(received<igtl::ImageMessage>(header, socket).GetPointer());
        else if (type == "POLYDATA") print(received<igtl::PolyDataMessage>(header, socket).GetPointer());
        else if (type == "STRING") std::cout << ", \"text\": " << received<igtl::StringMessage>(header, socket)->GetString();
        else throw "unexpected " + type;
        std::cout << "}" << std::endl;
    }
    socket->CloseSocket();
    return 0;
}

int serve() {
    auto server = igtl::ServerSocket::New();
    int port = 0;
    for (int wanted = 40000; wanted < 41000 && !port; wanted++) port = server->CreateServer(wanted) == 0 ? wanted : 0;
    std::cout << port << std::endl;
    igtl::Socket::Pointer peer;
    while (peer.IsNull()) peer = server->WaitForConnection(1000);

    auto status = igtl::StatusMessage::New();
    status->SetDeviceName("Scanner");
    status->SetCode(igtl::StatusMessage::STATUS_OK);
    status->SetStatusString("ready");

    igtl::Matrix4x4 pose = {{0, -1, 0, 30}, {1, 0, 0, -12}, {0, 0, 1, 55}, {0, 0, 0, 1}};
    auto transform = igtl::TransformMessage::New();
    transform->SetDeviceName("ProbeToTracker");
    transform->SetMatrix(pose);

    auto image = igtl::ImageMessage::New();
    int size[] = {64, 48, 1};
    float spacing[] = {0.2f, 0.3f, 1.0f};
    image->SetDeviceName("Image");
    image->SetDimensions(size);
    image->SetSpacing(spacing);
    image->SetScalarType(igtl::ImageMessage::TYPE_UINT8);
    image->AllocateScalars();
    auto *pixels = static_cast<unsigned char *>(image->GetScalarPointer());

    auto time = igtl::TimeStamp::New();
    for (int round = 0;; round++) {
        for (int at = 0; at < 64 * 48; at++) pixels[at] = 1 + (7 * at + round) % 250;
        time->GetTime();
        for (igtl::MessageBase *message : {(igtl::MessageBase *)status, (igtl::MessageBase *)transform, (igtl::MessageBase *)image}) {
            message->SetTimeStamp(time);
            message->Pack();
            if (!peer->Send(message->GetPackPointer(), message->GetPackSize())) return 0;
        }
        igtl::Sleep(20);
    }
}

int main(int count, char **words) {
    std::signal(SIGPIPE, SIG_IGN);
    try {
        return count == 4 && !std::strcmp(words[1], "read") ? read(std::stoi(words[2]), words[3]) : serve();
    } catch (const std::string &what) {
        std::cerr << what << std::endl;
        return 3;
    }
}
